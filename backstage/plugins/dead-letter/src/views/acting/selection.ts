import { Filter } from '@dead-letter/backstage-plugin-dead-letter-common';

/** What can be done with dead letters here. */
export type ActionKind = 'redeliver' | 'delete' | 'restore';

/** What is acted on: these dead letters, or all that a filter lists at the moment of the plan. */
export type Selection = (
  | { ids: string[]; filter?: undefined }
  | { filter: Filter; ids?: undefined }
) & {
  /** What they are: only these can be acted on. Dead, unless something else is said. */
  status?: 'dead' | 'redelivered' | 'deleted';
};
