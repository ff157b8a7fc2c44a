// The console's beginning: signs in, and draws.

import { render } from "preact";
import { App } from "./app";
import { arrive } from "./sign_in";
import { enter } from "./store";
import "./console.css";

arrive();
render(<App />, document.getElementById("app")!);
void enter();
