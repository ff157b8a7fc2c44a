// The sign that the project has its name from, as scores print it: hold this note.

export function Mark({ label }: { label?: string }) {
  return (
    <svg class="mark" viewBox="0 0 34 22" role={label ? "img" : undefined} aria-label={label} aria-hidden={label ? undefined : "true"}>
      <path
        fill="currentColor"
        d="M17 1C8 1 1.6 8 1 20h1.9C3.8 11.5 9.3 6 17 6s13.2 5.5 14.1 14H33C32.4 8 26 1 17 1z"
      />
      <circle cx="17" cy="17.5" r="3.4" fill="currentColor" />
    </svg>
  );
}
