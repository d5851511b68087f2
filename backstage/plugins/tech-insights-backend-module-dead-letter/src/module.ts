import {
  coreServices,
  createBackendModule,
} from '@backstage/backend-plugin-api';
import { techInsightsFactRetrieversExtensionPoint } from '@backstage-community/plugin-tech-insights-node';
import { catalogServiceRef } from '@backstage/plugin-catalog-node';
import {
  Components,
  readEnvironments,
} from '@dead-letter/backstage-plugin-dead-letter-node';
import { FACT_RETRIEVER, factRetriever } from './factRetriever';

/**
 * Facts about dead letters.
 * @public
 */
export const techInsightsModuleDeadLetter = createBackendModule({
  pluginId: 'tech-insights',
  moduleId: 'dead-letter',
  register(env) {
    env.registerInit({
      deps: {
        auth: coreServices.auth,
        catalog: catalogServiceRef,
        config: coreServices.rootConfig,
        logger: coreServices.logger,
        retrievers: techInsightsFactRetrieversExtensionPoint,
      },
      async init({ config, retrievers, ...deps }) {
        const components = new Components(deps);
        const environments = readEnvironments(config);
        retrievers.addFactRetrievers({
          [FACT_RETRIEVER]: factRetriever(components, environments),
        });
      },
    });
  },
});
