import { createTranslationRef } from '@backstage/frontend-plugin-api';
import { actingMessages } from './views/acting/messages';
import { auditMessages } from './views/audit/messages';
import { catalogMessages } from './views/catalog/messages';
import { exportingMessages } from './views/exporting/messages';
import { facetsMessages } from './views/facets/messages';
import { groupMessages } from './views/group/messages';
import { homeMessages } from './views/home/messages';
import { incidentsMessages } from './views/incidents/messages';
import { operationsMessages } from './views/operations/messages';
import { compareMessages } from './views/service/compare/messages';
import { drawerMessages } from './views/service/drawer/messages';
import { searchMessages } from './views/search/messages';
import { serviceMessages } from './views/service/messages';
import { sendMessages } from './views/service/send/messages';
import { shiftLogMessages } from './views/shiftLog/messages';
import { squadMessages } from './views/squad/messages';
import { squadsMessages } from './views/squads/messages';

/**
 * All texts of the plugin, to be translated.
 * @public
 */
export const deadLetterTranslationRef = createTranslationRef({
  id: 'plugin.dead-letter',
  messages: {
    title: 'Dead Letter',
    common: {
      environment: 'Environment',
      wrongEnvironment: 'There is no environment {{name}}',
      wrongEnvironmentDetail:
        'The address names an environment that this Backstage does not have. Nothing is shown, so that nobody acts in another one by mistake.',
      goTo: 'Go to {{name}}',
      copy: 'Copy {{what}}',
      copied: 'Copied',
      loading: 'Loading',
      retry: 'Try again',
      stale: 'Last updated {{age}}.',
      failed: 'Could not load the data',
      away: 'The dead-letter service is not responding',
      awayDetail:
        'No messages are lost. Dead letters wait in their queues until the service is back. This page retries automatically.',
      unconfigured: 'No dead-letter service is configured',
      unconfiguredDetail:
        'Add an environment with its `target` to `deadLetter.environments` in app-config.yaml, or with the `proxyPath` of an endpoint in `proxy.endpoints`.',
      denied: 'You do not have access to these dead letters',
      deniedDetail:
        'The permission {{permission}} is required for this entity, in Backstage and in dead-letter.',
      deniedEverywhereDetail:
        'The permission {{permission}} is required for at least one service, in Backstage and in dead-letter.',
      invisible: 'No dead letters are visible to you',
      invisibleDetail:
        '{{service}} has had no dead letters, or you do not have the permission {{permission}} for it.',
      never: 'never',
      empty: 'No dead letters are waiting',
      lastDay:
        'Last 24 h: {{died}} died, {{deleted}} deleted, {{redelivered}} redelivered.',
      lastDayNone: 'No messages died in the last 24 hours.',
      showThem: 'Show them',
    },
    squads: squadsMessages,
    squad: squadMessages,
    service: serviceMessages,
    search: searchMessages,
    shiftLog: shiftLogMessages,
    group: groupMessages,
    facets: facetsMessages,
    message: drawerMessages,
    send: sendMessages,
    compare: compareMessages,
    acting: actingMessages,
    operations: operationsMessages,
    incidents: incidentsMessages,
    exporting: exportingMessages,
    audit: auditMessages,
    catalog: catalogMessages,
    home: homeMessages,
  },
});
