import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Card, CardBody, CardHeader, Text } from '@backstage/ui';
import { SERVICE_ANNOTATION } from '@dead-letter/backstage-plugin-dead-letter-common';
import { Answered } from '../../components/Answered';
import { useAnswer } from '../../hooks/useDeadLetter';
import { deadLetterTranslationRef } from '../../translation';
import { ServicesTable } from '../squad/ServicesTable';
import { useOwnership } from './OwnershipState';
import { UNOWNED } from './SquadsTable';
import { TableSkeleton } from '../../components/TableSkeleton';
import { useServiceTabs } from '../../hooks/useTabs';
import { EVERY_MS } from '../../hooks/every';
import styles from './squads.module.css';

/** The services that have dead letters and no owner, and how to own them. */
export function Unowned() {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const services = useAnswer(
    ['services', UNOWNED],
    (client, signal) => client.services(UNOWNED, signal),
    { every: EVERY_MS, keep: false },
  );
  const inCatalog = useOwnership().data?.catalog;
  const example = services.data?.[0]?.service ?? 'webshop';
  const tabOf = useServiceTabs(services.data?.map(each => each.service) ?? []);
  return (
    <Card className={styles.section}>
      <CardHeader>
        <Text as="h3" variant="title-x-small">
          {t('squads.unownedTitle')}
        </Text>
        <Text as="p" color="secondary" className={styles.hint}>
          {inCatalog
            ? t('squads.unownedInCatalog', {
                owner: <code>spec.owner</code>,
                annotation: <code>{SERVICE_ANNOTATION}</code>,
                setting: <code>DEAD_LETTER_OWNERSHIP_FILE</code>,
              })
            : t('squads.unownedDetail', {
                line: (
                  <code>{`- { service: ${example}, squad: checkout }`}</code>
                ),
                setting: <code>DEAD_LETTER_OWNERSHIP_FILE</code>,
              })}
        </Text>
      </CardHeader>
      <CardBody>
        <Answered answer={services} loading={<TableSkeleton rows={2} />}>
          {found => <ServicesTable services={found} tabOf={tabOf} />}
        </Answered>
      </CardBody>
    </Card>
  );
}
