/** What every page has: its head, its frame, the one style sheet, and nothing from elsewhere. */
import { createHash } from 'node:crypto';
import { Html, html, type Part } from './html.ts';

/** Hides the rows of the table that lack one of the words written in the field above it. */
const FILTER = `for (const field of document.querySelectorAll('input[data-filter]')) {
  const rows = [...document.querySelectorAll('#' + field.dataset.filter + ' tbody tr')];
  const told = document.getElementById(field.dataset.filter + '-count');
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const filter = () => {
    const words = field.value.toLowerCase().split(/\\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, at) => {
      row.hidden = !words.every((word) => texts[at].includes(word));
      if (!row.hidden) shown++;
    });
    told.textContent = words.length === 0 ? rows.length + ' entries' : shown + ' of ' + rows.length + ' entries';
  };
  field.addEventListener('input', filter);
  filter();
}`;

/** Output of nodes is escaped; should some slip through, it still can't run or load anything. */
const POLICY = [
  "default-src 'none'",
  "style-src 'self' file: 'unsafe-inline'",
  "img-src 'self' file: data:",
  `script-src 'sha256-${createHash('sha256').update(FILTER).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

const ICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="4" fill="#0b6e75"/><path d="M4 3v10M12 3v10M4 6h8M12 10H4" stroke="#fff" stroke-width="1.5"/></svg>',
)}`;

export interface Page {
  readonly title: string;
  /** Path to the run's folder: `` or `../`. */
  readonly root: string;
  readonly nav: Part;
  readonly body: Part;
  readonly foot: string;
  /** The page has a table with a filter. */
  readonly filter?: boolean;
}

export function page({ title, root, nav, body, foot, filter = false }: Page): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="${ICON}">
<link rel="stylesheet" href="${root}report.css">
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="top"><div class="wide"><a class="brand" href="${root}index.html">kamelab</a><nav aria-label="Report">${nav}</nav></div></header>
<main id="main" class="wide">
${body}
</main>
<footer class="wide">${foot}</footer>
${filter && html`<script>${new Html(FILTER)}</script>`}
</body>
</html>
`.text;
}
