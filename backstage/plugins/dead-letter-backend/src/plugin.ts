import {
  coreServices,
  createBackendPlugin,
} from '@backstage/backend-plugin-api';
import { actionsRegistryServiceRef } from '@backstage/backend-plugin-api/alpha';
import { catalogServiceRef } from '@backstage/plugin-catalog-node';
import {
  deadLetterBasicPermissions,
  deadLetterPermissions,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import {
  Components,
  readEnvironments,
} from '@dead-letter/backstage-plugin-dead-letter-node';
import Router from 'express-promise-router';
import { registerActions } from './actions';
import { Decisions } from './decisions';
import { forward } from './forward';

/**
 * The backend of the dead-letter plugin.
 * @public
 */
export const deadLetterBackendPlugin = createBackendPlugin({
  pluginId: 'dead-letter',
  register(env) {
    env.registerInit({
      deps: {
        actionsRegistry: actionsRegistryServiceRef,
        auth: coreServices.auth,
        catalog: catalogServiceRef,
        config: coreServices.rootConfig,
        httpAuth: coreServices.httpAuth,
        httpRouter: coreServices.httpRouter,
        logger: coreServices.logger,
        permissions: coreServices.permissions,
        permissionsRegistry: coreServices.permissionsRegistry,
      },
      async init({ httpRouter, permissionsRegistry, ...deps }) {
        permissionsRegistry.addPermissions([
          ...deadLetterPermissions,
          ...deadLetterBasicPermissions,
        ]);
        const { config, httpAuth } = deps;
        const environments = readEnvironments(config);
        registerActions({ ...deps, environments });
        const decisions = new Decisions({
          ...deps,
          components: new Components(deps),
        });
        const router = Router();
        // Asked by dead-letter, with the token that it got: of a user, or of this plugin on behalf of one.
        router.get('/decisions', async (request, response) => {
          const user = await httpAuth.credentials(request, { allow: ['user'] });
          response.json(await decisions.of(user));
        });
        router.use(
          '/environments/:environment',
          forward({ ...deps, environments }),
        );
        httpRouter.use(router);
      },
    });
  },
});
