import { createTranslationRef } from '@backstage/frontend-plugin-api';
import { actingMessages } from './views/acting/messages';
import { auditMessages } from './views/audit/messages';
import { exportingMessages } from './views/exporting/messages';
import { operationsMessages } from './views/operations/messages';
import { drawerMessages } from './views/service/drawer/messages';
import { searchMessages } from './views/search/messages';
import { serviceMessages } from './views/service/messages';
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
        'Add an environment to `deadLetter.environments` in app-config.yaml, and its endpoint to `proxy.endpoints`.',
      denied: 'You do not have access to these dead letters',
      deniedDetail:
        'The permission dead-letter.message.read is required for this entity.',
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
    message: drawerMessages,
    acting: actingMessages,
    operations: operationsMessages,
    exporting: exportingMessages,
    audit: auditMessages,
  },
});
