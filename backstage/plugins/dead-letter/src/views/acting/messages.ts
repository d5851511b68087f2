/** Texts of acting on dead letters. */
export const actingMessages = {
  title: 'Acting',
  redeliver: 'Redeliver',
  redeliverAgain: 'Redeliver again',
  delete: 'Delete',
  denied:
    'You may not {{action}} here: it needs the permission {{permission}}.',
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
      'They are no longer listed, and nothing is sent. You can undo this as long as the messages are kept.',
    goesTo:
      'Each goes back to the queue that it died in, and only there. Nothing is sent before you press the button.',
    warnings: 'Before you go on',
    queue: 'Queue',
    count: 'Dead letters',
    group: 'Error',
    unknownQueue: 'not known',
    failing: 'last failed {{age}}',
    showAll: 'Show all {{number}}',
    holds: 'Selection frozen · expires',
    expired:
      'The plan had expired: this is a new one. Look at the number again.',
    failed: 'Could not make a plan',
    runFailed: 'The operation was not started',
    away: 'The dead-letter service does not answer. Nothing is lost; try again in a moment.',
    retry: 'Plan again',
    again: 'Redeliver once more',
    notes: 'Good to know',
    cancel: 'Cancel',
    run: '{{action}} {{number}}',
  },
  warning: {
    stillFailing:
      '{{service}} is still failing with {{error}} (last one {{age}}).',
    queueMissing: 'The queue {{queue}} does not exist.',
    noConsumers:
      'The queue {{queue}} has no consumers: its messages wait until one starts.',
    willWait:
      'The queue {{queue}} has no consumers. The redelivery sends as many as the queue is to hold, and waits until one starts: about {{held}} are not sent before.',
    queueCrowded: 'The queue {{queue}} has {{ready}} messages ready.',
    routingKeyChanges:
      'Consumers of {{number}} of these see the name of the queue in place of the original routing key. “More options” can keep it.',
    originClaimed:
      'The queue of {{number}} of these is known only from the message itself. The broker does not vouch for it: check the queues.',
    noErrorType: 'an error without a type',
    operation: 'Show the operation',
  },
  option: {
    canary: 'Canary',
    canaryDetail:
      'Send {{steps}} first, and wait after each step. Pause if any dies again.',
    wait: 'Seconds to wait after each step',
    more: 'More options',
    order: {
      label: 'Order',
      detail: 'In which order they reach each queue.',
      newest: 'Newest first',
      oldest: 'Oldest first',
      any: 'Any order: faster',
    },
    routingKey: {
      label: 'Routing key',
      detail:
        'What consumers see. Some choose by it what to do: they need the original one. It takes the right to declare exchanges named dead-letter.to.*.',
      queue: 'The name of the queue',
      original: 'The original one',
    },
    again: 'Send once more',
    againDetail:
      'These were redelivered before. Send them again if their consumer lost them. Whoever did handle them handles them twice.',
    note: 'Note',
    noteDetail: 'Why, for the record',
  },
} as const;
