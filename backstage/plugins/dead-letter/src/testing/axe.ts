import axe from 'axe-core';

/** WCAG 2.1 AA; colours are looked at end to end, as nothing is painted here. */
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'];

/** What axe says against what is shown. */
export async function violations(
  element: Element = document.body,
): Promise<string[]> {
  const found = await axe.run(element, {
    runOnly: RULES,
    rules: { 'color-contrast': { enabled: false } },
  });
  return found.violations.map(
    each => `${each.id}: ${each.nodes.map(node => node.html).join(' ')}`,
  );
}
