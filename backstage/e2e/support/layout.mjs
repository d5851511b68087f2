/**
 * What cannot be read or pressed of what is shown, as texts: a page that is wider than its window, a column without width, and what can
 * be pressed where a click on its centre reaches something else.
 */
export async function layout(page, view) {
  const faults = await page.evaluate(() => {
    const named = element =>
      `${element.tagName.toLowerCase()} “${(
        element.getAttribute('aria-label') ?? element.textContent
      )
        .trim()
        .slice(0, 40)}”`;
    // For screen readers only, or until it has the focus.
    const isOutOfSight = element => {
      const box = element.getBoundingClientRect();
      if (box.bottom + window.scrollY <= 0) return true;
      for (let each = element; each; each = each.parentElement) {
        if (each.offsetWidth === 1 && each.offsetHeight === 1) return true;
      }
      return false;
    };
    const isShown = element =>
      element.checkVisibility({ opacityProperty: true }) &&
      !element.closest('[inert], [aria-hidden="true"]') &&
      !isOutOfSight(element);
    // While a dialog is open, only it can be used.
    const modal = [...document.querySelectorAll('[role="dialog"]')].at(-1);
    const shown = selector =>
      [...(modal ?? document).querySelectorAll(selector)].filter(isShown);
    const found = [];

    const { scrollWidth } = document.documentElement;
    if (scrollWidth > window.innerWidth) {
      found.push(`${scrollWidth} px in a window of ${window.innerWidth} px`);
    }

    const LEAST_COLUMN = 24;
    for (const cell of shown('th, td')) {
      if (cell.offsetWidth < LEAST_COLUMN && cell.textContent.trim()) {
        found.push(`${named(cell)} is ${cell.offsetWidth} px wide`);
      }
    }

    /** What hides a part of it, and cannot be scrolled. */
    const hider = element => {
      for (
        let each = element;
        each !== document.body;
        each = each.parentElement
      ) {
        const { overflowX } = getComputedStyle(each);
        const hides = overflowX === 'hidden' || overflowX === 'clip';
        if (hides && each.scrollWidth > each.clientWidth + 1) return each;
      }
      return undefined;
    };

    const covers = (top, element) =>
      element.contains(top) ||
      top?.contains(element) ||
      // It goes away by itself.
      top?.closest('[role="alertdialog"]') ||
      // What a label is of is pressed by its label.
      [...(element.labels ?? [])].some(label => label.contains(top));
    for (const element of shown('button, a[href], input, textarea')) {
      element.scrollIntoView({ block: 'center', inline: 'center' });
      const hidden = element.tagName === 'BUTTON' && hider(element);
      if (hidden) found.push(`${named(element)} is cut by ${named(hidden)}`);
      // Of a text in several lines, its first one.
      const box = element.getClientRects()[0];
      const top = document.elementFromPoint(
        box.x + box.width / 2,
        box.y + box.height / 2,
      );
      if (!covers(top, element)) {
        const at = `${Math.round(box.x)}, ${Math.round(box.y)}`;
        const what = top ? named(top) : 'nothing';
        found.push(`${named(element)} at ${at} is under ${what}`);
      }
    }
    window.scrollTo(0, 0);
    return found;
  });
  return faults.map(fault => `${view}: ${fault}`);
}
