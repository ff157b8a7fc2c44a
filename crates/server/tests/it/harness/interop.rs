//! The programs of interop/, as child processes: Microsoft's SDKs, and schemathesis; and those of console/, with a browser.
//!
//! What they need is installed below target/, once, and again when a list of requirements has changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// How long a program may run, in seconds, before it is taken for stuck. The longest takes a tenth of it.
const TIMEOUT_S: u16 = 300;

/// Where everything is installed.
const INSTALLED: &str = env!("CARGO_TARGET_TMPDIR");

static PYTHON: LazyLock<PathBuf> = LazyLock::new(install_python);
static JAVASCRIPT: LazyLock<PathBuf> = LazyLock::new(|| install_packages("javascript"));
static BROWSER: LazyLock<PathBuf> = LazyLock::new(|| install_packages("browser"));
static CONSOLE: LazyLock<PathBuf> = LazyLock::new(install_console);

/// Runs Python in a folder of interop/, with all requirements at hand.
pub(crate) fn python(folder: &str) -> Command {
    let mut command = limited(&PYTHON.join("bin/python"));
    // What Python and hypothesis keep must not come to lie between the sources.
    command.env("PYTHONPYCACHEPREFIX", Path::new(INSTALLED).join("python-cache"));
    command.env("HYPOTHESIS_STORAGE_DIRECTORY", Path::new(INSTALLED).join("hypothesis"));
    command.current_dir(interop().join(folder));
    command
}

/// Runs npm in a copy of interop/javascript, with all packages at hand.
pub(crate) fn npm() -> Command {
    let mut command = limited(Path::new("npm"));
    command.current_dir(&*JAVASCRIPT);
    command
}

/// Runs a program with the console's packages at hand, in its folder.
pub(crate) fn in_console(program: &str) -> Command {
    let mut command = limited(Path::new(program));
    command.current_dir(&*CONSOLE);
    command
}

/// Runs node in a copy of interop/browser, with all packages at hand.
pub(crate) fn node_of_browser() -> Command {
    let mut command = limited(Path::new("node"));
    command.current_dir(&*BROWSER);
    command
}

/// Runs a program to its end, and returns all it wrote.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} cannot be run: {error}"));
    let written = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).join("\n");
    assert!(output.status.success(), "{command:?} ended with {}:\n{written}", output.status);
    written
}

fn limited(program: &Path) -> Command {
    let mut command = Command::new("timeout");
    command.arg(TIMEOUT_S.to_string()).arg(program);
    command
}

fn install_python() -> PathBuf {
    let lists = ["python", "contract"].map(|folder| interop().join(folder).join("requirements.txt"));
    install("python", &lists.each_ref().map(|list| read(list)).concat(), |folder| {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder));
        let mut pip = Command::new(folder.join("bin/python"));
        // Compiling everything takes longer than compiling what is used, when it is used.
        pip.args(["-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check"]);
        run(pip.args(lists.iter().flat_map(|list| [Path::new("--requirement"), list])));
    })
}

/// Installs the packages of a folder of interop/.
fn install_packages(name: &str) -> PathBuf {
    let sources = interop().join(name);
    let folder = install(name, &read(&sources.join("package-lock.json")), |folder| {
        for name in ["package.json", "package-lock.json", ".npmrc"] {
            copy(&sources, folder, name);
        }
        run(Command::new("npm").args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(folder));
    });
    // Node looks for packages beside the program, so the program comes to the packages, each time as it is now.
    for entry in fs::read_dir(&sources).expect("the sources are there") {
        let name = entry.expect("the folder can be read").file_name().into_string().expect("our names are UTF-8");
        if !name.starts_with("node_modules") {
            copy(&sources, &folder, &name);
        }
    }
    folder
}

/// The console's packages lie beside its source, where the bundler looks for them.
fn install_console() -> PathBuf {
    let console = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../console");
    let (made_of, lock) = (console.join("node_modules/made-of.json"), read(&console.join("package-lock.json")));
    if fs::read_to_string(&made_of).is_ok_and(|made_of| made_of == lock) {
        return console;
    }
    let mut npm = Command::new("npm");
    run(npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&console));
    fs::write(made_of, lock).expect("the folder can be written to");
    console
}

/// Has a folder made by `fill`, unless it was made of the same requirements before.
fn install(name: &str, requirements: &str, fill: impl FnOnce(&Path)) -> PathBuf {
    let folder = Path::new(INSTALLED).join(name);
    let made_of = folder.join("made-of.txt");
    if fs::read_to_string(&made_of).is_ok_and(|made_of| made_of == requirements) {
        return folder;
    }
    fs::create_dir_all(&folder).expect("target/ can be written to");
    fill(&folder);
    // Last, so that what was interrupted is made anew.
    fs::write(made_of, requirements).expect("target/ can be written to");
    folder
}

fn copy(from: &Path, to: &Path, name: &str) {
    fs::copy(from.join(name), to.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn interop() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../interop")
}
