/** Texts on the home page. */
export const homeMessages = {
  table: 'My squads and their dead letters',
  squad: 'Squad',
  messages: 'Messages',
  oldest: 'Oldest',
  lastHour: 'Last hour',
  none: 'You belong to no group of the catalog',
  all: 'Show all squads',
} as const;
