/** Texts of this view. */
export const shiftLogMessages = {
  title: 'Shift log',
  since: 'Since',
  until: 'Until',
  untilNow: 'now',
  spans: {
    shift: 'Last 8 hours',
    half: 'Last 12 hours',
    day: 'Last 24 hours',
    other: 'From … to …',
  },
  time: 'Time',
  squad: 'Squad',
  squadHint: 'all',
  copy: 'Copy as Markdown',
  copied: 'Copied',
  truncated: 'This log is not complete',
  truncatedDetail:
    'Each list ends after 200 entries. Choose a shorter time to see all of them.',
  hidden:
    'Entries of services that you do not have access to are hidden. To copy the log, choose a squad of yours.',
  headline: 'dead letters arrived',
  dead: '{{number}} are dead now',
  new: 'New error groups',
  regressed: 'Regressed error groups',
  triage: 'Triage',
  operations: 'Operations',
  none: 'None.',
  arrived: '{{number}} arrived, last {{age}}',
  did: {
    resolve: '{{by}} resolved',
    reopen: '{{by}} reopened',
    mute: '{{by}} muted',
    note: '{{by}} added a note to',
  },
} as const;
