/** Texts of this view. */
export const actingMessages = {
  title: 'Acting',
} as const;
