/**
 * Types of dead-letter's HTTP API, and the permissions of its Backstage plugin.
 *
 * @packageDocumentation
 */
export * from './annotations';
export * from './permissions';
export type * from './openapi.gen';
