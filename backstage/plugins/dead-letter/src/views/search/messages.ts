/** Texts of the search over all services. */
export const searchMessages = {
  title: 'Search',
  label: 'Search the dead letters of all services',
  placeholder: 'Any id, or text in an error, a body or a header',
  button: 'Search',
  table: 'Search results',
  service: 'Service',
  status: 'Status',
  noComponent: 'Not in the catalog',
  start: 'Find a message by id or text',
  startDetail:
    'The search covers the ids, errors, bodies and headers of all dead letters in all services, including redelivered and deleted ones.',
  found_one: '{{count, number}} dead letter matches “{{text}}”',
  found_other: '{{count, number}} dead letters match “{{text}}”',
  foundAtLeast: 'At least {{count, number}} dead letters match “{{text}}”',
  nothing: 'No dead letters match “{{text}}”',
  nothingDetail:
    'All services and statuses were searched: ids (of dead letters, messages, correlations, redeliveries and operations), errors, bodies and headers. Not searched: the middle of errors longer than 4 KB, bodies larger than 16 MiB, and purged messages.',
  by: 'Found by {{kinds}}. Text was not searched.',
  kind: {
    deadLetterId: 'dead letter id',
    messageId: 'message id',
    correlationId: 'correlation id',
    redeliveryId: 'redelivery id',
    operationId: 'operation id',
    text: 'text',
  },
  hidden_one:
    '{{count, number}} result on this page is hidden: you do not have access to its service.',
  hidden_other:
    '{{count, number}} results on this page are hidden: you do not have access to their services.',
} as const;
