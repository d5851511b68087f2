/** Texts of comparing two dead letters. */
export const compareMessages = {
  button: 'Compare',
  title: 'Compare two dead letters',
  whole: 'Also show what is the same',
  same: 'No differences.',
  value: 'Value',
  all: '(all of it)',
  cut: 'Only the first {{number}} values are compared.',
  part: {
    failure: 'Death',
    properties: 'Properties',
    headers: 'Headers',
    body: 'Body',
  },
} as const;
