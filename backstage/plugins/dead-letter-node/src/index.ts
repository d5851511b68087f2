/**
 * Asks dead-letter from the backend of Backstage.
 *
 * @packageDocumentation
 */
export { Components } from './components';
export type { ByService, ComponentsDeps } from './components';
export { DeadLetter } from './DeadLetter';
export type { GroupsRequest } from './DeadLetter';
export { readEnvironments } from './environments';
export type { ReachableEnvironment } from './environments';
