import { useRouteRef, useTranslationRef } from '@backstage/frontend-plugin-api';
import { ButtonLink, Card, CardBody, CardHeader, Text } from '@backstage/ui';
import { useAnswer } from '../../hooks/useDeadLetter';
import { useInEnvironment } from '../../hooks/useEnvironment';
import { EVERY_MS } from '../../hooks/every';
import { useReadableServices } from '../../hooks/useReadableServices';
import { shiftLogRouteRef } from '../../routes';
import { deadLetterTranslationRef } from '../../translation';
import { GroupEntry } from '../shiftLog/Entries';
import entries from '../shiftLog/shiftLog.module.css';
import styles from './squads.module.css';

/** As many as the service gives, and as many as are shown. */
const ASKED_FOR = 200;
const SHOWN = 5;
const NEWS = ['new', 'regressed'];

/** The error groups of all squads that are news: who has most says nothing of what has just begun. */
export function WhatIsNew() {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const inEnvironment = useInEnvironment();
  const shiftLog = useRouteRef(shiftLogRouteRef)?.() ?? '';
  const { data } = useAnswer(
    ['error-groups', 'news'],
    (client, signal) => client.errorGroups({}, ASKED_FOR, signal),
    { every: EVERY_MS, keep: false },
  );
  const news = (data?.groups ?? [])
    .filter(({ state, count }) => NEWS.includes(state) && count > 0)
    .sort((one, other) => other.lastSeen.localeCompare(one.lastSeen));
  const mayRead = useReadableServices(news.map(({ service }) => service));
  const shown = news.filter(({ service }) => mayRead(service)).slice(0, SHOWN);
  if (shown.length === 0) return null;
  return (
    <Card className={styles.section}>
      <CardHeader>
        <Text as="h3" variant="title-x-small">
          {t('squads.news')}
        </Text>
      </CardHeader>
      <CardBody>
        <ul className={entries.entries} aria-label={t('squads.news')}>
          {shown.map(each => (
            <li key={each.id}>
              <GroupEntry group={each} at={each.firstSeen} />
            </li>
          ))}
        </ul>
        <ButtonLink
          size="small"
          variant="secondary"
          className={styles.more}
          href={inEnvironment(shiftLog)}
        >
          {t('squads.toShiftLog')}
        </ButtonLink>
      </CardBody>
    </Card>
  );
}
