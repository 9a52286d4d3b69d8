/** The stylesheet of the documentation. */
import { Html } from "./Html.ts"

// A stylesheet is no HTML text: escaping its `>` would break it.
export const css = new Html(`
:root{color-scheme:light dark;--line:light-dark(#d8dee4,#343b44);--soft:light-dark(#f5f7f9,#1a1f26);
--dim:light-dark(#57606a,#9aa4b0);--link:light-dark(#0757b8,#79b8ff)}
*{box-sizing:border-box}
body{margin:0 auto;max-width:64rem;padding:1.5rem 1rem 6rem;font:16px/1.5 system-ui,sans-serif;
background:light-dark(#fff,#11151a);color:light-dark(#1c2128,#e4e8ec)}
a{color:var(--link)}
code{font:.875em/1.5 ui-monospace,monospace;overflow-wrap:anywhere}
h1{margin:0}h1 small{font-size:.6em}h2{margin:2.5rem 0 .25rem}h4{margin:1.25rem 0 .25rem}
p{margin:.5rem 0}small,.dim{color:var(--dim)}
em{font-size:.75rem;font-style:normal;color:light-dark(#a8420f,#ffab70)}
nav ul{list-style:none;padding:0;margin:.25rem 0 1rem;columns:20rem}
nav a{text-decoration:none}nav a:hover{text-decoration:underline}
details{border:1px solid var(--line);border-radius:6px;margin:.5rem 0}
summary{padding:.5rem .75rem;cursor:pointer;display:flex;flex-wrap:wrap;gap:.25rem .75rem;align-items:baseline}
summary:hover,details[open]>summary{background:var(--soft)}
details>div{padding:0 .75rem .75rem;scroll-margin-top:4rem}
.method{font:700 .75rem/1.6 ui-monospace,monospace;border-radius:4px;padding:0 .4rem;color:#fff;background:#57606a}
.get{background:#0757b8}.post{background:#1a7037}.patch{background:#8a5300}.delete{background:#b3261e}
.scroll{overflow-x:auto}[hidden]{display:none!important}
pre{overflow-x:auto;margin:.5rem 0;padding:.6rem .75rem;background:var(--soft);border:1px solid var(--line);border-radius:6px}pre code{overflow-wrap:normal}
form{position:sticky;top:0;z-index:1;display:flex;gap:1rem;align-items:center;padding:.5rem 0}
input{font:inherit;width:min(24rem,60vw);padding:.3rem .6rem;border:1px solid var(--dim);border-radius:6px;background:light-dark(#fff,#11151a);color:inherit}
table{border-collapse:collapse;width:100%}
th,td{border-top:1px solid var(--line);padding:.3rem .75rem .3rem 0;text-align:left;vertical-align:top;font-weight:400}
th{white-space:nowrap}
dt{margin-top:.75rem}dd{margin:0 0 0 1rem}
@media(max-width:40rem){table,tbody,tr,th,td{display:block}th{white-space:normal;padding:.5rem 0 0}td{border:0;padding:0}td:last-child{padding-bottom:.4rem}
dd{margin:0}}
`)
