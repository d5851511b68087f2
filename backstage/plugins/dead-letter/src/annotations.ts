/** On a component whose name is not that of its service. */
export const SERVICE_ANNOTATION = 'dead-letter/service-name';

/** On a group whose name is not that of its squad. */
export const SQUAD_ANNOTATION = 'dead-letter/squad-name';
