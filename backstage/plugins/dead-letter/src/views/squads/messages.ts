/** Texts of this view. */
export const squadsMessages = {
  title: 'Squads',
  headline_one: 'dead letter',
  headline_other: 'dead letters',
  scope: 'in {{services}} of {{squads}}',
  serviceCount_one: '{{number}} service',
  serviceCount_other: '{{number}} services',
  squadCount_one: '{{number}} squad',
  squadCount_other: '{{number}} squads',
  empty: 'No dead letters: all good',
  emptyDetail:
    'Nothing has failed that is not dealt with. What fails shows here within seconds.',
  table: 'Squads and their dead letters',
  squad: 'Squad',
  messages: 'Messages',
  services: 'Services',
  oldest: 'Oldest',
  lastHour: 'Last hour',
  noGroup: 'Not in the catalog',
  unowned: 'no owner',
  unownedHint: 'Listed below, with how to own them',
  unownedTitle: 'Services that nobody owns',
  unownedDetail:
    'No squad is told about these. To own one, name the squad as {{owner}} of its component in the catalog, and if the component has another name, add the annotation {{annotation}}. It moves to the squad within minutes.',
  trend: {
    more: 'more than',
    fewer: 'fewer than',
    same: 'as many as',
    dayBefore: '({{dayBefore}} the day before)',
    spoken:
      '{{lastHour}} in the last hour, {{comparison}} in the same hour of the day before: {{dayBefore}}',
  },
} as const;
