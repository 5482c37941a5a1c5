/** The report's style sheet. Colours are variables, which the charts read too: one set for light and paper, one for dark screens. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --ink: #1b1f27; --muted: #5b6472; --line: #e2e6ec; --grid: #edf0f4;
  --train: #8c96a8; --validation: #d07c00; --test: #2558c9; --good: #1d7a46;
  --e1: #fdf3e0; --e2: #fbdfb4; --e3: #f7c283; --e4: #ef9e5a; --e5: #dd7542; --e6: #bd4a36; --e7: #8c272c;
  --onLow: #1b1f27; --onHigh: #ffffff;
}
@media screen and (prefers-color-scheme: dark) {
  :root:not(.printing) {
    --page: #0f1216; --card: #171b21; --ink: #e7eaef; --muted: #98a2b1; --line: #2a313b; --grid: #222831;
    --train: #79859a; --validation: #efae45; --test: #7ea8ff; --good: #63c98f;
    --e1: #2c261f; --e2: #463322; --e3: #694326; --e4: #93562a; --e5: #c07236; --e6: #e69a56; --e7: #ffcf9a;
    --onLow: #e7eaef; --onHigh: #16120d;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
main { max-width: 1120px; margin: 0 auto; padding: 40px 24px 64px; }
h1 { font-size: 28px; line-height: 1.2; font-weight: 650; letter-spacing: -0.015em; margin: 0 0 6px; overflow-wrap: anywhere; }
h2 { font-size: 16px; font-weight: 650; margin: 0; }
p { margin: 0; }
.lead { color: var(--muted); overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 24px 0 12px; padding: 0; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; }
.tile dt { color: var(--muted); font-size: 13px; }
.tile dd { margin: 0; font-size: 24px; font-weight: 620; letter-spacing: -0.01em; font-variant-numeric: tabular-nums; line-height: 1.3; }
.tile dd small { font-size: 13px; font-weight: 400; letter-spacing: 0; color: var(--muted); }
.tile dd.note { font-size: 13px; font-weight: 400; color: var(--muted); letter-spacing: 0; }
.tile:first-child dd:first-of-type { color: var(--test); }
.cards { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 12px; }
.card { display: flex; flex-direction: column; background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 18px 20px; min-width: 0; }
.wide { grid-column: 1 / -1; }
.head { display: flex; align-items: baseline; justify-content: space-between; gap: 12px; margin-bottom: 2px; }
.sub { color: var(--muted); font-size: 13px; margin-bottom: 12px; }
.chart { position: relative; height: 280px; }
.fill { flex: 1 1 280px; height: auto; min-height: 280px; }
.beside { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 12px 32px; align-items: start; }
.square { height: auto; aspect-ratio: 1; width: 100%; max-width: 480px; margin: 0 auto; }
button {
  font: inherit; font-size: 12px; color: var(--muted); background: none; border: 1px solid var(--line); border-radius: 6px;
  padding: 1px 8px; cursor: pointer; white-space: nowrap;
}
button[aria-pressed="true"] { color: var(--test); border-color: var(--test); }
button:focus-visible, summary:focus-visible, .scroll:focus-visible { outline: 2px solid var(--test); outline-offset: 2px; }
details { margin-top: 10px; font-size: 13px; }
summary { color: var(--muted); cursor: pointer; }
.scroll { overflow-x: auto; }
details .scroll { max-height: 260px; overflow-y: auto; margin-top: 6px; }
table { border-collapse: collapse; width: 100%; font-size: 14px; font-variant-numeric: tabular-nums; }
details table { font-size: 13px; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
th { text-align: left; font-weight: 500; color: var(--muted); font-size: 13px; white-space: nowrap; }
th, td { padding: 5px 12px 5px 0; border-bottom: 1px solid var(--grid); }
th:last-child, td:last-child { padding-right: 0; }
tbody tr:last-child td { border-bottom: 0; }
td { max-width: 26em; overflow-wrap: break-word; }
.n { text-align: right; white-space: nowrap; }
tr.group th { padding-top: 12px; color: var(--ink); border-bottom-color: var(--line); }
tr.own td { font-weight: 620; }
tr.total td { border-top: 1px solid var(--line); font-weight: 620; }
td sub { font-size: 0.75em; line-height: 0; }
.elements { --top: 0; display: grid; grid-template-columns: repeat(18, minmax(0, 1fr)); gap: 3px; font-variant-numeric: tabular-nums; }
.elements .gap { grid-column: 1; grid-row: calc(8 + var(--top)); height: 6px; }
.legend { grid-column: 3 / 13; grid-row: 1 / 4; display: flex; flex-direction: column; gap: 8px; padding: 0 0 8px 20px; }
.readout { min-height: 3em; font-size: 14px; }
.scale { display: grid; grid-template-columns: repeat(7, 1fr); max-width: 320px; }
.scale i { height: 10px; }
.scale i:first-child { border-radius: 3px 0 0 3px; }
.scale i:nth-child(7) { border-radius: 0 3px 3px 0; }
.scale span { grid-column: span 3; font-size: 12px; color: var(--muted); }
.scale span:last-child { grid-column: span 4; text-align: right; }
.el { grid-column: var(--column); grid-row: calc(var(--row) + var(--top)); border-radius: 4px; padding: 4px 2px 3px; text-align: center; min-width: 0; line-height: 1.15; border: 1px solid transparent; }
.el b { display: block; font-size: 14px; font-weight: 620; }
.el span { display: block; font-size: 10.5px; overflow: hidden; }
.el.none { color: var(--muted); border-color: var(--grid); opacity: 0.65; }
.el.none b { font-weight: 400; }
.el.few { border: 1px dashed var(--muted); }
.el.here { outline: 2px solid var(--ink); outline-offset: 1px; }
.q1 { background: var(--e1); } .q2 { background: var(--e2); } .q3 { background: var(--e3); } .q4 { background: var(--e4); }
.q5 { background: var(--e5); } .q6 { background: var(--e6); } .q7 { background: var(--e7); }
.el.q1, .el.q2, .el.q3, .el.q4 { color: var(--onLow); } .el.q5, .el.q6, .el.q7 { color: var(--onHigh); }
.bars td:first-child { white-space: nowrap; }
.bars td:nth-child(2), .bars th:nth-child(2) { width: 99%; max-width: none; }
.bar { height: 12px; width: calc(var(--share) * 100%); min-width: 2px; background: var(--test); border-radius: 3px; opacity: 0.85; }
.group { white-space: nowrap; }
.group sub { font-size: 0.75em; line-height: 0; }
.over { display: inline-block; line-height: 1; border-top: 0.08em solid; }
.crystals { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(290px, 100%), 1fr)); gap: 12px; margin-bottom: 16px; }
figure { margin: 0; border: 1px solid var(--line); border-radius: 8px; overflow: hidden; min-width: 0; break-inside: avoid; }
.structure { height: 250px; }
.structure.large { height: min(70vh, 640px); }
.pairs div { display: flex; gap: 12px; justify-content: space-between; border-bottom: 1px solid var(--line); padding: 4px 0; }
.pairs dt { color: var(--muted); }
.pairs dd { margin: 0; text-align: right; }
pre { margin: 0; max-height: 420px; overflow: auto; font-size: 13px; }
figcaption { padding: 8px 12px 10px; border-top: 1px solid var(--grid); font-size: 13px; }
.name { display: flex; justify-content: space-between; gap: 12px; font-size: 14px; }
.name b { font-weight: 620; overflow-wrap: anywhere; }
.name b sub { font-size: 0.75em; line-height: 0; }
.name span, .id { color: var(--muted); font-size: 13px; }
.id { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
figcaption dl { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 8px; margin: 6px 0 0; font-variant-numeric: tabular-nums; }
figcaption dt { color: var(--muted); font-size: 12px; }
figcaption dd { margin: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 12px; margin-bottom: 8px; }
.pairwise { grid-template-columns: repeat(auto-fill, minmax(min(290px, 100%), 1fr)); }
.picture { display: flex; gap: 2px; background: var(--grid); }
.picture img, .picture svg { flex: 1; min-width: 0; width: 100%; height: auto; aspect-ratio: 1; object-fit: contain; image-rendering: pixelated; }
.picture.signal { flex-direction: column; }
.picture.signal img { height: 14px; aspect-ratio: auto; flex: none; object-fit: fill; }
.picture svg { aspect-ratio: 2; background: var(--card); }
svg polyline { fill: none; stroke: var(--test); stroke-width: 1.2; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
svg polyline:nth-child(2) { stroke: var(--validation); }
svg polyline:nth-child(3) { stroke: var(--good); }
.pictures figcaption dl { display: block; }
.pictures figcaption dl div { display: flex; justify-content: space-between; gap: 8px; }
.filters { display: flex; flex-wrap: wrap; gap: 6px; }
.filters img { width: auto; height: 56px; image-rendering: pixelated; border-radius: 3px; }
.filters svg { width: 88px; height: 44px; border: 1px solid var(--line); border-radius: 4px; }
.plane { width: 100%; height: auto; font-size: 17px; font-weight: 620; text-anchor: middle; dominant-baseline: central; }
.plane line { stroke: var(--line); stroke-width: 1; }
.plane text { fill: var(--train); }
.key { color: var(--muted); font-size: 13px; }
.plane .s { fill: var(--good); } .key .s { color: var(--good); }
.plane .p { fill: var(--test); } .key .p { color: var(--test); }
.plane .d { fill: var(--validation); } .key .d { color: var(--validation); }
.plane .f { fill: var(--train); } .key .f { color: var(--train); }
.attentions { display: grid; gap: 12px; grid-template-columns: repeat(auto-fit, minmax(min(480px, 100%), 1fr)); align-items: start; }
code { white-space: nowrap; }
.attentions figcaption { border-top: 0; border-bottom: 1px solid var(--grid); }
.heads { display: grid; grid-template-columns: repeat(var(--heads), max-content); gap: 14px 22px; padding: 12px; }
.heads table { width: auto; font-size: 12px; }
.heads caption { position: static; width: auto; height: auto; clip-path: none; color: var(--muted); text-align: left; white-space: nowrap; padding-bottom: 2px; }
.heads th { font-size: 12px; padding: 1px 4px; border: 0; text-align: center; color: var(--ink); }
.heads td { border: 1px solid var(--card); padding: 2px 4px; min-width: 30px; text-align: center; background: color-mix(in srgb, var(--test) calc(var(--share) * 75%), var(--card)); }
.heads td:empty { background: none; border: 0; }
.matrix { width: auto; margin: 4px auto 16px; }
.matrix th, .matrix td { border: 0; padding: 6px 10px; }
.matrix td { text-align: center; min-width: 84px; height: 64px; border: 2px solid var(--card); border-radius: 6px; position: relative; }
.matrix td b { display: block; font-size: 17px; font-weight: 620; }
.matrix td span { font-size: 12px; }
.matrix .right { background: color-mix(in srgb, var(--test) calc(var(--share) * 70%), var(--card)); }
.matrix .wrong { background: color-mix(in srgb, var(--e6) calc(var(--share) * 70%), var(--card)); }
.matrix tbody th { text-align: right; }
.matrix.large td { min-width: min(112px, 9vw); height: 92px; }
.matrix.large td b { font-size: 22px; }
.matrix.large td span { font-size: 13px; }
pre {
  margin: 0; padding: 12px 14px; background: var(--page); border: 1px solid var(--line); border-radius: 8px; font-size: 13px;
  white-space: pre-wrap; overflow-wrap: anywhere; font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
}
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(220px, 1fr)); gap: 10px 24px; margin: 16px 0 0; font-size: 14px; }
.facts dt { color: var(--muted); font-size: 13px; }
.facts dd { margin: 0; overflow-wrap: anywhere; }
@media screen and (max-width: 760px) {
  main { padding: 24px 12px 40px; }
  h1 { font-size: 23px; }
  .cards, .beside { grid-template-columns: minmax(0, 1fr); }
  .plane { font-size: 30px; }
  .card { padding: 14px; }
  .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .tile:first-child:nth-last-child(odd) { grid-column: 1 / -1; }
  td { white-space: nowrap; max-width: 60vw; overflow: hidden; text-overflow: ellipsis; }
  .facts { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .tile dd { font-size: 20px; }
  .elements { --top: 1; gap: 1px; }
  .legend { grid-column: 1 / -1; grid-row: 1; padding: 0 0 10px; }
  .el { padding: 3px 0; border-radius: 2px; }
  .el b { font-size: 10px; }
  .el span { display: none; }
  .matrix th, .matrix td { padding: 4px; }
  .matrix td { min-width: 56px; height: 52px; }
  .matrix.large td { min-width: 84px; height: 72px; }
}
.printing main { width: 180mm; }
@media print {
  :root { color-scheme: light; }
  body { background: #ffffff; font-size: 12px; }
  main { width: auto; max-width: none; padding: 0; }
  .card, .tile { break-inside: avoid; }
  .tiles { grid-template-columns: repeat(auto-fit, minmax(110px, 1fr)); }
  .tile dd { font-size: 18px; }
  .scroll { overflow: visible; }
  table { font-size: 12px; }
  th, td { padding-top: 3px; padding-bottom: 3px; }
  .el.here { outline: 0; }
  button, details { display: none; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
