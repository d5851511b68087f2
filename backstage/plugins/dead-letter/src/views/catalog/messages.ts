/** Texts on the pages of the catalog. */
export const catalogMessages = {
  title: 'Dead letters',
  tab: 'Dead Letters',
  inEnvironment: 'Dead letters in {{environment}}',
  dead_one: '{{count, number}} dead letter',
  dead_other: '{{count, number}} dead letters',
  lastHour: 'Last hour',
  oldest: 'Oldest',
  worst: 'Largest error group',
  worstCount_one: '{{count, number}} dead letter',
  worstCount_other: '{{count, number}} dead letters',
  show: 'Show all',
  menu: 'Redeliver dead letters…',
  filter: 'Dead letters',
  filterHas: 'Has dead letters',
  filterMost: 'The {{count, number}} entities with the most dead letters.',
} as const;
