export interface Config {
  deadLetter?: {
    /**
     * The installations of dead-letter to choose from; the first is shown when the address names none.
     * @deepVisibility frontend
     */
    environments?: Array<{
      /** In the address as `?env=`, and the proxy's endpoint unless `proxyPath` names another: `/dead-letter/<name>`. */
      name: string;
      /** Shown in the selector; the name by default. */
      title?: string;
      /** The proxy's endpoint, such as `/dead-letter/production`. */
      proxyPath?: string;
    }>;
  };
}
