/** Texts of this view. */
export const squadMessages = {
  title: 'Squad',
} as const;
