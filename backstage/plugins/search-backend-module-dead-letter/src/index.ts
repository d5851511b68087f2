/**
 * Finds dead-letter's error groups in Backstage's search.
 *
 * @packageDocumentation
 */
export { searchModuleDeadLetter as default } from './module';
