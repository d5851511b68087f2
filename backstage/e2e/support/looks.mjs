import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import pixelmatch from 'pixelmatch';
import { PNG } from 'pngjs';
import { ROOT } from './processes.mjs';

/**
 * How the pages looked when somebody last looked at them (UPDATE_LOOKS=1). Fonts and browsers draw differently: elsewhere than where the
 * pictures were made nothing is compared, and the test says that it was skipped.
 */

const KEPT = `${ROOT}/backstage/e2e/looks`;
const FOUND = `${ROOT}/target/backstage/looks`;
/** Of the pixels of a picture: less is the edge of a letter. */
const MOST = 0.002;
const UPDATE = process.env.UPDATE_LOOKS === '1';

/** A third of each side: enough to see what moved, and small. */
export const SCALE = 1 / 3;

/** Letters of each kind of text, by which it is told whether this machine draws as that of the pictures. */
const PROBE = `<body style="margin:8px;font:14px/1.3 system-ui,sans-serif">Hamburgefonstiv 0123456789
  <b>Hamburgefonstiv</b> <code>Hamburgefonstiv {}</code> <input type="checkbox" checked> <select><option>Any</option></select>`;

/** How often a page is looked at until two pictures in a row are the same. */
const MOST_LOOKS = 20;

/** What lies behind a dialog is where the last step left it. */
function scrollBack() {
  for (const element of document.querySelectorAll('*')) {
    if (element.closest('[role="dialog"]')) continue;
    if (element.scrollTop !== 0) element.scrollTop = 0;
    if (element.scrollLeft !== 0) element.scrollLeft = 0;
  }
}

/** What differs from run to run is replaced by what does not: times, ids, numbers, and the height of bars. */
function settle() {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    const text = node.data
      .replace(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, 'id')
      .replace(/…[0-9a-f]{4,}/g, '…id')
      .replace(/\d[\d.,:/ ]*\d|\d/g, '0')
      .replace(
        /\b(in )?0 (second|minute|hour|day)s?( ago)?\b|\bnow\b/g,
        '0 minutes ago',
      )
      .replace(/\b0 (ms|s|min|h)\b/g, '0 s');
    if (text !== node.data) node.data = text;
  }
  for (const time of document.querySelectorAll('time')) {
    time.textContent = '00:00';
  }
  for (const input of document.querySelectorAll(
    'input[type="datetime-local"]',
  )) {
    input.style.visibility = 'hidden';
  }
  if (document.adoptedStyleSheets.some(sheet => sheet.settled)) return;
  // The page's own content security policy allows no other style.
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    figure button > span, svg[role="img"] *, [role="progressbar"] * { visibility: hidden !important }
    * { caret-color: transparent !important; transition: none !important; animation: none !important }`);
  sheet.settled = true;
  document.adoptedStyleSheets.push(sheet);
}

/** A picture of what the page is after whatever it was about to draw. */
async function settled(page) {
  await page.evaluate(scrollBack);
  let before;
  for (let look = 0; look < MOST_LOOKS; look += 1) {
    await page.evaluate(settle);
    const picture = await page.screenshot({ animations: 'disabled' });
    if (before?.equals(picture)) break;
    before = picture;
  }
  return before;
}

export class Looks {
  constructor(front) {
    this.front = front;
    this.folder = `${KEPT}/${front}`;
  }

  /** Whether this machine draws as that of the pictures. */
  async begin(browser) {
    const context = await browser.newContext({
      viewport: { width: 600, height: 60 },
      deviceScaleFactor: SCALE,
    });
    const page = await context.newPage();
    await page.setContent(PROBE);
    const picture = await page.screenshot();
    await context.close();
    mkdirSync(this.folder, { recursive: true });
    this.canCompare = UPDATE || this.difference('probe', picture) === 0;
    if (UPDATE) writeFileSync(`${this.folder}/probe.png`, picture);
  }

  /** What has changed in this view, in words; nothing where nothing has. The page is not to be used any more. */
  async compare(page, name) {
    if (!this.canCompare) return [];
    const file = name.replaceAll(/\W+/g, '-');
    const picture = await settled(page);
    if (UPDATE) {
      writeFileSync(`${this.folder}/${file}.png`, picture);
      return [];
    }
    const share = this.difference(file, picture);
    return share <= MOST
      ? []
      : [`${name}: ${(100 * share).toFixed(2)} % differ, see ${FOUND}`];
  }

  /** The share of pixels that are others. What was found is kept beside what differs. */
  difference(name, picture) {
    const file = `${this.folder}/${name}.png`;
    const found = PNG.sync.read(picture);
    const kept = existsSync(file)
      ? PNG.sync.read(readFileSync(file))
      : undefined;
    const { width, height } = found;
    let share = 1;
    const diff = new PNG({ width, height });
    if (kept?.width === width && kept?.height === height) {
      const pixels = pixelmatch(
        kept.data,
        found.data,
        diff.data,
        width,
        height,
      );
      share = pixels / (width * height);
    }
    if (share > 0) {
      mkdirSync(FOUND, { recursive: true });
      writeFileSync(`${FOUND}/${this.front}-${name}.png`, picture);
      writeFileSync(
        `${FOUND}/${this.front}-${name}-diff.png`,
        PNG.sync.write(diff),
      );
    }
    return share;
  }
}
