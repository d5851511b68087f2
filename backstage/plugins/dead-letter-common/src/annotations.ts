/**
 * On a component whose name is not that of its service, or that is several services: their names, separated by commas.
 * @public
 */
export const SERVICE_ANNOTATION = 'dead-letter/service-name';

/**
 * On a group whose name is not that of its squad.
 * @public
 */
export const SQUAD_ANNOTATION = 'dead-letter/squad-name';

/** An entity of the catalog, as far as its name in dead-letter needs it. */
interface Named {
  metadata: { name: string; annotations?: Record<string, string> };
}

/** What surrounds a name: a text of several lines ends with a line break. */
const SPACE = /^[ \t\n\f\r]+|[ \t\n\f\r]+$/g;
const CONTROL = /\p{Cc}/u;

/**
 * The services in dead-letter that a component is. An empty annotation means none. dead-letter reads the annotation in the same way.
 * @public
 */
export function servicesOf({ metadata }: Named): string[] {
  const names = metadata.annotations?.[SERVICE_ANNOTATION]?.split(',').map(
    name => name.replace(SPACE, ''),
  ) ?? [metadata.name];
  return [...new Set(names)].filter(name => name && !CONTROL.test(name));
}

/**
 * The squad in dead-letter that a group is.
 * @public
 */
export function squadOf({ metadata }: Named): string {
  return metadata.annotations?.[SQUAD_ANNOTATION] ?? metadata.name;
}
