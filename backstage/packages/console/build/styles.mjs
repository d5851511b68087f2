const ID = /@backstage\/ui\/.*\.module\.css\.esm\.js$/;
const CSS = /var css_248z = (".*");/;
const QUERY = '?extracted.css';

/**
 * Modules of `@backstage/ui` add their styles to the page by script, which the content security policy forbids: the styles become a
 * part of the style sheet.
 */
export function extractStyles() {
  const styles = new Map();
  return {
    name: 'extract-styles',
    enforce: 'pre',
    resolveId: id => (id.endsWith(QUERY) ? id : null),
    load: id => styles.get(id),
    transform(code, id) {
      if (!ID.test(id)) return null;
      const found = CSS.exec(code);
      if (!found)
        throw new Error(`${id} has no styles where they are expected`);
      const name = `${id}${QUERY}`;
      styles.set(name, JSON.parse(found[1]));
      const exported = code
        .replace(/^import styleInject .*$/m, `import ${JSON.stringify(name)};`)
        .replace(CSS, '')
        .replace('styleInject(css_248z);', '');
      return { code: exported, map: null, moduleSideEffects: true };
    },
  };
}
