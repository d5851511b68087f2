/** Whose dead letters they are: those of a squad, or of the services of a component. */
export type Owner =
  | { squad: string; services?: undefined }
  | { services: string[]; squad?: undefined };
