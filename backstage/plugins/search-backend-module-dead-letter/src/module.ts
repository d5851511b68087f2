import {
  coreServices,
  createBackendModule,
  readSchedulerServiceTaskScheduleDefinitionFromConfig,
} from '@backstage/backend-plugin-api';
import { catalogServiceRef } from '@backstage/plugin-catalog-node';
import { searchIndexRegistryExtensionPoint } from '@backstage/plugin-search-backend-node/alpha';
import {
  Components,
  readEnvironments,
} from '@dead-letter/backstage-plugin-dead-letter-node';
import { ErrorGroupCollatorFactory } from './ErrorGroupCollatorFactory';

const SCHEDULE = 'search.collators.deadLetter.schedule';

/**
 * Error groups of dead-letter in the index of the search.
 * @public
 */
export const searchModuleDeadLetter = createBackendModule({
  pluginId: 'search',
  moduleId: 'dead-letter',
  register(env) {
    env.registerInit({
      deps: {
        auth: coreServices.auth,
        catalog: catalogServiceRef,
        config: coreServices.rootConfig,
        indexRegistry: searchIndexRegistryExtensionPoint,
        logger: coreServices.logger,
        scheduler: coreServices.scheduler,
      },
      async init({ config, indexRegistry, logger, scheduler, ...deps }) {
        const schedule = config.has(SCHEDULE)
          ? readSchedulerServiceTaskScheduleDefinitionFromConfig(
              config.getConfig(SCHEDULE),
            )
          : { frequency: { minutes: 10 }, timeout: { minutes: 5 } };
        indexRegistry.addCollator({
          schedule: scheduler.createScheduledTaskRunner(schedule),
          factory: new ErrorGroupCollatorFactory({
            environments: readEnvironments(config),
            components: new Components({ ...deps, logger }),
            logger,
          }),
        });
      },
    });
  },
});
