export interface Config {
  app?: {
    /**
     * How users sign in: as a guest by default.
     * @visibility frontend
     */
    signIn?: 'guest' | 'oidc';
  };
}
