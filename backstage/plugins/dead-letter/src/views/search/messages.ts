/** Texts of the search over all services. */
export const searchMessages = {
  title: 'Search',
  label: 'Search the dead letters of all services',
  placeholder: 'Any id, or text in an error, a body or a header',
  button: 'Search',
  table: 'Dead letters that were found',
  service: 'Service',
  status: 'Status',
  noComponent: 'Not in the catalog',
  start: 'Find a message by what you know of it',
  startDetail:
    'The search looks through the ids, errors, bodies and headers of all dead letters of all services, also of those that were redelivered or deleted.',
  found_one: '{{count, number}} dead letter with “{{text}}”',
  found_other: '{{count, number}} dead letters with “{{text}}”',
  foundAtLeast: 'at least {{count, number}} dead letters with “{{text}}”',
  nothing: 'No dead letter has “{{text}}”',
  nothingDetail:
    'Looked in all services, whatever became of the messages: in the ids of dead letters, messages, correlations, redeliveries and operations, and in errors, bodies and headers. Not searched: the middle of errors longer than 4 KB, bodies larger than 16 MiB, and messages that were purged.',
  by: 'Found by {{kinds}}. Texts were not searched.',
  kind: {
    deadLetterId: 'dead letter id',
    messageId: 'message id',
    correlationId: 'correlation id',
    redeliveryId: 'redelivery id',
    operationId: 'operation id',
    text: 'text',
  },
  hidden_one:
    '{{count, number}} result on this page is in a service whose dead letters you may not see.',
  hidden_other:
    '{{count, number}} results on this page are in services whose dead letters you may not see.',
} as const;
