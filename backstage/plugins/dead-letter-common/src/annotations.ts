/**
 * On a component whose name is not that of its service.
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

/**
 * The service in dead-letter that a component is.
 * @public
 */
export function serviceOf({ metadata }: Named): string {
  return metadata.annotations?.[SERVICE_ANNOTATION] ?? metadata.name;
}

/**
 * The squad in dead-letter that a group is.
 * @public
 */
export function squadOf({ metadata }: Named): string {
  return metadata.annotations?.[SQUAD_ANNOTATION] ?? metadata.name;
}
