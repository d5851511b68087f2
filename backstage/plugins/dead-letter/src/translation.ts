import { createTranslationRef } from '@backstage/frontend-plugin-api';
import { actingMessages } from './views/acting/messages';
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
      stale: 'Not up to date: last answer {{age}}.',
      failed: 'Could not load this',
      away: 'The dead-letter service does not answer',
      awayDetail:
        'Nothing is lost: dead letters wait in their queue until it is back. This page tries again by itself.',
      unconfigured: 'No dead-letter service is configured',
      unconfiguredDetail:
        'Name at least one under `deadLetter.environments` in app-config.yaml, and its endpoint under `proxy.endpoints`.',
      denied: 'You may not see these dead letters',
      deniedDetail:
        'It needs the permission dead-letter.message.read for this entity.',
      never: 'never',
      empty: 'Nothing waits here',
      lastDay:
        'Last 24 h: {{died}} died, {{deleted}} deleted, {{redelivered}} redelivered.',
      lastDayNone: 'Nothing has died in the last 24 hours.',
      showThem: 'Show them',
    },
    squads: squadsMessages,
    squad: squadMessages,
    service: serviceMessages,
    search: searchMessages,
    message: drawerMessages,
    acting: actingMessages,
    operations: operationsMessages,
  },
});
