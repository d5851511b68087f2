/** Texts of this view. */
export const operationsMessages = {
  title: 'Operations',
} as const;
