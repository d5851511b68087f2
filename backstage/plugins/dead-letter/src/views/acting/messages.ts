/** Texts of acting on dead letters. */
export const actingMessages = {
  title: 'Acting',
  redeliver: 'Redeliver',
  delete: 'Delete',
  denied:
    'You may not {{action}} here: it needs the permission {{permission}}.',
  begun: 'Operations that you began',
  dismiss: 'Dismiss',
  plan: {
    counting: 'Counting …',
    redeliver_one: 'Redeliver 1 dead letter {{to}}',
    redeliver_other: 'Redeliver {{number}} dead letters {{to}}',
    delete_one: 'Delete 1 dead letter',
    delete_other: 'Delete {{number}} dead letters',
    queues_one: 'to 1 queue',
    queues_other: 'to {{number}} queues',
    nothing: 'There is nothing to act on',
    nothingDetail:
      'None of these is dead any more: others may have redelivered or deleted them. Close this and look again.',
    undoable:
      'They are no longer listed, and nothing is sent. It can be undone until they are purged.',
    goesTo:
      'Each goes back to the queue that it died in, and only there. Nothing is sent before you press the button.',
    warnings: 'Before you go on',
    queue: 'Queue',
    count: 'Dead letters',
    group: 'Error',
    unknownQueue: 'not known',
    failing: 'still failing now',
    showAll: 'Show all {{number}}',
    holds: 'This number holds until',
    expired:
      'The plan had expired: this is a new one. Look at the number again.',
    failed: 'It could not be planned',
    runFailed: 'It was not begun',
    away: 'The dead-letter service does not answer. Nothing is lost; try again in a moment.',
    again: 'Plan again',
    cancel: 'Cancel',
    run: '{{action}} {{number}}',
  },
  option: {
    canary: 'Canary: a few first',
    canaryDetail:
      'First {{steps}}, each time waiting for what dies again; it pauses if any does. Then all the rest.',
    wait: 'Seconds to wait after each step',
    note: 'Note',
    noteDetail: 'Why, for the record',
  },
} as const;
