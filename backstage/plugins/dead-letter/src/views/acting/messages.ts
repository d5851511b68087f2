/** Texts of acting on dead letters. */
export const actingMessages = {
  title: 'Acting',
  redeliver: 'Redeliver',
  redeliverAgain: 'Redeliver again',
  delete: 'Delete',
  restore: 'Restore',
  denied: 'You do not have permission to {{action}} ({{permission}}).',
  plan: {
    counting: 'Counting …',
    redeliver_one: 'Redeliver 1 dead letter {{to}}',
    redeliver_other: 'Redeliver {{number}} dead letters {{to}}',
    restore_one: 'Restore 1 dead letter',
    restore_other: 'Restore {{number}} dead letters',
    restorable: 'Restored messages are dead again. Nothing is sent.',
    delete_one: 'Delete 1 dead letter',
    delete_other: 'Delete {{number}} dead letters',
    queues_one: 'to 1 queue',
    queues_other: 'to {{number}} queues',
    nothing: 'Nothing left to do',
    nothingDetail:
      'Someone may already have redelivered or deleted the selected messages. Close this dialog and check the list.',
    undoable:
      'Deleted messages are no longer listed. Nothing is sent. You can undo this as long as the messages are kept.',
    goesTo:
      'Each message is sent to the queue where it died, and to no other queue. Nothing is sent until you press the button.',
    warnings: 'Before you continue',
    queue: 'Queue',
    count: 'Dead letters',
    group: 'Error',
    unknownQueue: 'unknown queue',
    failing: 'last failed {{age}}',
    showAll: 'Show all {{number}}',
    holds: 'Selection frozen · expires',
    expired: 'The plan expired. This is a new plan: check the number again.',
    failed: 'Could not create a plan',
    runFailed: 'Could not start the operation',
    away: 'The dead-letter service is not responding. No messages are lost. Try again in a moment.',
    retry: 'Try again',
    again: 'Redeliver again',
    notes: 'Good to know',
    cancel: 'Cancel',
    run: '{{action}} {{number}}',
  },
  warning: {
    stillFailing:
      '{{service}} is still failing with {{error}} (last one {{age}}). Redelivered messages will probably fail again.',
    queueMissing:
      'The queue {{queue}} does not exist. Its messages will be refused.',
    noConsumers:
      'The queue {{queue}} has no consumers. Messages wait there until a consumer starts.',
    willWait:
      'The queue {{queue}} has no consumers. The redelivery sends messages up to the queue depth limit, then waits for a consumer. About {{held}} messages will not be sent before.',
    queueCrowded: 'The queue {{queue}} has {{ready}} messages ready.',
    routingKeyChanges:
      'Consumers of {{number}} of these messages see the queue name as the routing key. “More options” can keep the original one.',
    originClaimed:
      'The queue of {{number}} of these messages is named only by the message itself. The broker does not confirm it. Check the queues.',
    noErrorType: 'an error of unknown type',
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
      detail: 'The order in which messages reach each queue.',
      newest: 'Newest first',
      oldest: 'Oldest first',
      any: 'Any order (faster)',
    },
    routingKey: {
      label: 'Routing key',
      detail:
        'The routing key that consumers see. Some consumers dispatch by it and need the original. Keeping the original requires permission to declare exchanges named dead-letter.to.* on the broker.',
      queue: 'Queue name',
      original: 'Original',
    },
    again: 'Send again',
    againDetail:
      'These messages were already redelivered. Send them again only if their consumer lost them. A consumer that did handle a message will handle it twice.',
    note: 'Note',
    noteDetail: 'The reason, recorded with the operation',
  },
} as const;
