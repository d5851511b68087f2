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
  table: 'Squads and their dead letters',
  squad: 'Squad',
  messages: 'Messages',
  services: 'Services',
  oldest: 'Oldest',
  lastHour: 'Last hour',
  noGroup: 'Not in the catalog',
  news: 'New and regressed error groups',
  toShiftLog: 'Open the shift log',
  unowned: 'no owner',
  unownedHint: 'See below for how to assign an owner',
  unownedTitle: 'Services without an owner',
  unownedDetail:
    'No squad sees these services on its page. To assign an owner, add a line such as {{line}} to the ownership file of dead-letter ({{setting}}). dead-letter reloads the file when it changes. The owner in the catalog is not used.',
  trend: {
    more: 'more than',
    fewer: 'fewer than',
    same: 'as many as',
    dayBefore: '(same hour yesterday: {{dayBefore}})',
    spoken:
      '{{lastHour}} in the last hour, {{comparison}} in the same hour yesterday: {{dayBefore}}',
  },
} as const;
