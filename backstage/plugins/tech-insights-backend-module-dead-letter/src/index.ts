/**
 * Facts about the dead letters of components, for scorecards.
 *
 * @packageDocumentation
 */
export { techInsightsModuleDeadLetter as default } from './module';
