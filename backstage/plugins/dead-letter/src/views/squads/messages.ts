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
    'No squad sees these services on its page. To assign an owner, add a line such as {{line}} to the ownership file of dead-letter ({{setting}}). dead-letter reloads the file when it changes.',
  unownedInCatalog:
    'No squad sees these services on its page. To assign an owner, set {{owner}} of the component in the catalog, which names the service as {{annotation}} or has its name. The ownership file of dead-letter ({{setting}}) takes precedence.',
  ownership: {
    stale: 'Squads may be out of date',
    staleDetail:
      'dead-letter cannot read the catalog. It uses the owners of {{time}}.',
    unknown: 'Squads are not known yet',
    unknownDetail:
      'dead-letter has not read the catalog since it was set up. Until then, no service has an owner.',
    contested: '{{service}} has no owner: components contradict each other',
    waits: '{{service}} has no owner until {{time}}',
    waitsDetail:
      'Another component has taken the place of the one that it belonged to: {{claims}}.',
    claim: '{{entity}} says {{squad}}',
    noSquad: 'no squad',
    more_one: '{{count}} more service has no owner for such a reason',
    more_other: '{{count}} more services have no owner for such reasons',
  },
  trend: {
    more: 'more than',
    fewer: 'fewer than',
    same: 'as many as',
    dayBefore: '(same hour yesterday: {{dayBefore}})',
    spoken:
      '{{lastHour}} in the last hour, {{comparison}} in the same hour yesterday: {{dayBefore}}',
  },
} as const;
