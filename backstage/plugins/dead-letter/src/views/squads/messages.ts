/** Texts of this view. */
export const squadsMessages = {
  title: 'Squads',
} as const;
