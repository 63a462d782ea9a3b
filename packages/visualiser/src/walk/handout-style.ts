// The look of a handout, on the screen and on paper: black on white, one column, nothing torn apart between two sheets.

export const HANDOUT_STYLE = `
:root { color-scheme: light; }
body { margin: 0 auto; max-width: 60rem; padding: 1.2rem 1.6rem 3rem; background: #fff; color: #14181f;
  font: 15px/1.45 Inter, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", sans-serif; }
h1 { font-size: 1.8em; line-height: 1.2; margin: 0 0 .3em; }
h2 { font-size: 1.25em; line-height: 1.25; margin: 0 0 .2em; }
h3 { font-size: 1em; margin: 0 0 .2em; }
p, ul, ol { margin: 0 0 .6em; }
code, td, pre, .link { font-family: "JetBrains Mono", ui-monospace, Consolas, "DejaVu Sans Mono", monospace; font-size: .88em; }
pre { background: #f3f4f6; padding: .5em .7em; white-space: pre-wrap; }
.teaches { font-size: 1.1em; }
.about, .where, .otherwise, .try, figcaption, .sources { color: #4a5160; font-size: .92em; }
.link { overflow-wrap: anywhere; }
.screen { background: #fff0c2; color: #4d3a00; padding: .4em .8em; border-radius: 6px; }
.stop { border-top: 2px solid #14181f; margin-top: 1.4em; padding-top: .7em; }
.shown { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 1.2em; align-items: start; }
figure { margin: 0; }
figure svg { display: block; width: 100%; height: auto; }
figcaption { text-align: center; }
.why { border-left: 4px solid #868e9c; padding-left: .8em; }
.decided { border: 1.5px solid #14181f; border-radius: 6px; padding: .25em .6em; }
.decided cite { display: block; color: #4a5160; font-size: .9em; }
.changes h3 { color: #4a5160; font-size: .92em; font-weight: 400; }
.changes ul { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .1em 1.6em; }
table { border-collapse: collapse; margin: .4em 0 .6em; }
th, td { border: 1px solid #868e9c; padding: .1em .5em; text-align: start; }
.ask { border: 1.5px solid #14181f; border-radius: 8px; padding: .6em .9em; margin: .6em 0; }
.ask ol { list-style: upper-alpha; margin: 0; }
.printed code { white-space: pre-wrap; }
@media (max-width: 640px) { .shown { grid-template-columns: 1fr; } }
@page { margin: 15mm; }
@media print {
  body { padding: 0; max-width: none; font-size: 10.5pt; }
  .screen { display: none; }
  h2, h3 { break-after: avoid; }
  figure, .ask, .answer, .why, .changes, table { break-inside: avoid; }
  .answers { break-before: page; }
}
`;
