/** Texts of this view. */
export const serviceMessages = {
  title: 'Service',
} as const;
