// The page's style sheet. Pure.

/** Inline, because the page asks for nothing; its hash is in the page's Content-Security-Policy, which also forbids style attributes. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --bg: #f4f5f7; --card: #fff; --line: #e1e4e9; --text: #1a1f29; --soft: #626c7c;
  --good: #137a3f; --busy: #1c62c9; --warn: #9a5b00; --bad: #c02020;
  --good-bg: #e4f5ea; --busy-bg: #e6effc; --warn-bg: #fdf1db; --bad-bg: #fde8e8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --bg: #0f1319; --card: #181d26; --line: #2a313d; --text: #e6e9ef; --soft: #98a2b3;
    --good: #4cc985; --busy: #74a9ff; --warn: #e9b04d; --bad: #ff7b7b;
    --good-bg: #14301f; --busy-bg: #16263f; --warn-bg: #33270f; --bad-bg: #3b1a1d;
  }
}
* { box-sizing: border-box; margin: 0; }
body {
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
  font-variant-numeric: tabular-nums; color: var(--text); background: var(--bg);
  overflow-wrap: anywhere; -webkit-text-size-adjust: 100%;
}
main { max-width: 1080px; margin: 0 auto; padding: 24px 20px 32px; display: grid; grid-template-columns: 1fr 1fr; gap: 16px; }
main > * { grid-column: 1 / -1; min-width: 0; }
#next, #proxy { grid-column: auto; }
section:empty { display: none; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 18px 20px; }
h1 { font-size: 17px; font-weight: 600; color: var(--soft); }
h2 { font-size: 12px; font-weight: 600; letter-spacing: .07em; text-transform: uppercase; color: var(--soft); margin-bottom: 12px; }
h2 small, .tiles small { font-size: 12px; font-weight: 400; letter-spacing: 0; text-transform: none; color: var(--soft); }
h2 small { margin-left: 6px; }
h3 { font-size: 16px; font-weight: 600; }
code { font: .92em ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
a { color: var(--busy); }
.good { --tone: var(--good); --tone-bg: var(--good-bg); }
.busy { --tone: var(--busy); --tone-bg: var(--busy-bg); }
.warn { --tone: var(--warn); --tone-bg: var(--warn-bg); }
.bad { --tone: var(--bad); --tone-bg: var(--bad-bg); }
.dot { display: inline-block; flex: none; width: 10px; height: 10px; border-radius: 50%; background: var(--tone); }
.tag { font-size: 12px; font-weight: 600; padding: 2px 9px; border-radius: 99px; white-space: normal;
  color: var(--tone, var(--soft)); background: var(--tone-bg, var(--line)); }
.top { display: flex; flex-wrap: wrap; gap: 6px 10px; align-items: center; }
.state { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 12px; margin: 2px 0 4px; }
.state b { font-size: 34px; line-height: 1.2; font-weight: 700; letter-spacing: -.01em; color: var(--tone); }
.state .dot { width: 16px; height: 16px; align-self: center; box-shadow: 0 0 0 5px var(--tone-bg); margin: 0 4px; }
.since { color: var(--soft); }
.message { font-size: 18px; line-height: 1.45; white-space: pre-line; }
.reason { color: var(--soft); margin-top: 2px; }
.warning { margin-top: 10px; padding: 10px 14px; border-radius: 10px; background: var(--tone-bg); border-left: 4px solid var(--tone); }
.warning b { color: var(--tone); margin-right: 6px; }
.lead { font-size: 16px; margin-bottom: 10px; }
.empty { color: var(--soft); }
progress { display: block; width: 100%; height: 6px; margin: 0 0 14px; border: 0; border-radius: 3px; overflow: hidden;
  appearance: none; background: var(--line); color: var(--busy); }
progress::-webkit-progress-bar { background: var(--line); }
progress::-webkit-progress-value { background: var(--busy); border-radius: 3px; }
progress::-moz-progress-bar { background: var(--busy); }
.rows > div { display: grid; grid-template-columns: 8.5em 1fr; gap: 12px; padding: 6px 0; border-top: 1px solid var(--line); }
.rows > div:first-child { border-top: 0; padding-top: 0; }
.rows > div:last-child { padding-bottom: 0; }
dt { color: var(--soft); }
.rows .warn dd { color: var(--warn); }
.tiles { display: grid; grid-template-columns: repeat(4, 1fr); gap: 18px 20px; }
.tiles > div { display: flex; flex-direction: column; min-width: 0; }
.tiles dt { font-size: 13px; }
.tiles dd { font-size: 22px; font-weight: 600; line-height: 1.35; color: var(--tone, inherit); }
.tiles .unknown dd { color: var(--soft); }
.tiles dd.note { font-size: 13px; font-weight: 400; color: var(--soft); }
article { border-left: 4px solid var(--tone); padding: 2px 0 2px 16px; }
article + article { margin-top: 20px; }
article.bad h3 code { color: var(--bad); }
h3 { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 10px; }
h3 .dot { display: none; }
.said { margin-top: 8px; padding: 8px 12px; border-radius: 8px; background: var(--bg); font-size: 14px; white-space: pre-wrap; }
.said span { color: var(--soft); margin-right: 6px; }
.facts { display: grid; grid-template-columns: repeat(3, 1fr); gap: 10px 20px; margin-top: 12px; }
.facts dt { font-size: 13px; }
ol { list-style: none; padding: 0; }
li { display: grid; grid-template-columns: 8.2em 10px 1fr; gap: 14px; padding-bottom: 14px; position: relative; }
li:last-child { padding-bottom: 0; }
li .dot { margin-top: 7px; z-index: 1; }
li:not(:last-child)::before { content: ""; position: absolute; left: calc(8.2em + 18px); top: 12px; bottom: -10px; width: 2px; background: var(--line); }
li b { color: var(--tone); }
li code, li small, .at small { color: var(--soft); }
.at { text-align: right; line-height: 1.4; font-size: 14px; }
footer { color: var(--soft); font-size: 13px; display: flex; flex-wrap: wrap; justify-content: space-between; gap: 4px 20px; padding: 0 4px; }
#old { position: sticky; top: 0; z-index: 2; padding: 12px 20px; text-align: center; font-weight: 600; color: #fff; background: #b01818; }
.old main { opacity: .4; filter: grayscale(1); }
@media (max-width: 760px) {
  main { padding: 12px 10px 24px; gap: 10px; }
  #next, #proxy { grid-column: 1 / -1; }
  #proxy { order: 1; }
  #history { order: 2; }
  #bans { order: 3; }
  footer { order: 4; }
  section { padding: 14px; border-radius: 10px; }
  .state b { font-size: 28px; }
  .message { font-size: 16px; }
  .tiles { grid-template-columns: 1fr 1fr; gap: 14px; }
  .tiles dd { font-size: 19px; }
  .facts { grid-template-columns: 1fr 1fr; gap: 10px 14px; }
  .rows > div { grid-template-columns: 6.5em 1fr; }
  li { grid-template-columns: 10px 1fr; gap: 4px 12px; }
  li .at { grid-column: 2; grid-row: 1; text-align: left; font-size: 13px; }
  li .at br { display: none; }
  li .at small { margin-left: 8px; font-size: 13px; }
  li .dot { grid-column: 1; grid-row: 1; margin-top: 6px; }
  li > div { grid-column: 2; }
  li:not(:last-child)::before { left: 4px; }
}
@media print { body { background: #fff; } section { break-inside: avoid; } }
`;
