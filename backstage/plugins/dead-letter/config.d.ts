export interface Config {
  deadLetter?: {
    /**
     * The dead-letter installations that users can select. The first is the default.
     * @deepVisibility frontend
     */
    environments?: Array<{
      /** Name of the environment in the URL (`?env=`). The proxy endpoint is `/dead-letter/<name>` unless `proxyPath` is set. */
      name: string;
      /** Label in the selector. Defaults to the name. */
      title?: string;
      /** Proxy endpoint, such as `/dead-letter/production`. */
      proxyPath?: string;
    }>;
  };
}
