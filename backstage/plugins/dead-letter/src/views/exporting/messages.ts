/** Texts of the export. */
export const exportingMessages = {
  title: 'Export',
  ndjson: 'NDJSON, one dead letter per line',
  csv: 'CSV, for spreadsheets',
  progress: 'Exporting: {{number}} dead letters',
  cancel: 'Cancel the export',
  failed: 'The export failed',
  done_one: '{{count, number}} dead letter exported',
  done_other: '{{count, number}} dead letters exported',
  cut: 'More dead letters match. An export has {{number}} at most: narrow the filter for the others.',
  content: 'Bodies and headers are not exported.',
} as const;
