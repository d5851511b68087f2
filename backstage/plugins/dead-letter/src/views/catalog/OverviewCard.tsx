import { Entity, stringifyEntityRef } from '@backstage/catalog-model';
import { useApi, useTranslationRef } from '@backstage/frontend-plugin-api';
import { useEntity } from '@backstage/plugin-catalog-react';
import {
  Card,
  CardBody,
  CardFooter,
  CardHeader,
  Link,
  Skeleton,
  Text,
} from '@backstage/ui';
import {
  ServiceOverview,
  servicesOf,
  squadOf,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { deadLetterApiRef } from '../../api/DeadLetterApi';
import { Answered } from '../../components/Answered';
import { LastDay, sumOfLastDay } from '../../components/LastDay';
import { Readable } from '../../components/Readable';
import { Time } from '../../components/Time';
import { Trend } from '../../components/Trend';
import { EVERY_MS } from '../../hooks/every';
import { useAnswer } from '../../hooks/useDeadLetter';
import { useEnvironment, useInEnvironment } from '../../hooks/useEnvironment';
import { tabOf } from '../../hooks/useTabs';
import { deadLetterTranslationRef } from '../../translation';
import { WorstGroup } from './WorstGroup';
import { Owner } from './owner';
import styles from './card.module.css';

/** What a component has, on its overview. */
export function ServiceCard() {
  const { entity } = useEntity();
  const services = servicesOf(entity);
  if (services.length === 0) return null;
  return <OverviewCard entity={entity} owner={{ services }} />;
}

/** What the services of a group have, on its overview. */
export function SquadCard() {
  const { entity } = useEntity();
  return <OverviewCard entity={entity} owner={{ squad: squadOf(entity) }} />;
}

interface OverviewCardProps {
  entity: Entity;
  owner: Owner;
}

function OverviewCard({ entity, owner }: OverviewCardProps) {
  return (
    <Readable resourceRef={stringifyEntityRef(entity)}>
      <Overview entity={entity} owner={owner} />
    </Readable>
  );
}

function Overview({ entity, owner }: OverviewCardProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const inEnvironment = useInEnvironment();
  const services = useAnswer(
    ['services', owner.squad ?? null],
    (client, signal) => client.services(owner.squad, signal),
    { every: EVERY_MS, keep: false },
  );
  return (
    <Card className={styles.card}>
      <CardHeader>
        <Text as="h2" variant="title-x-small" weight="bold">
          <Title />
        </Text>
      </CardHeader>
      <CardBody>
        <Answered answer={services} loading={<Skeleton height={96} />}>
          {found => (
            <Numbers
              owner={owner}
              services={found.filter(
                ({ service }) => owner.services?.includes(service) ?? true,
              )}
            />
          )}
        </Answered>
      </CardBody>
      <CardFooter>
        <Link href={inEnvironment(tabOf(entity))}>{t('catalog.show')}</Link>
      </CardFooter>
    </Card>
  );
}

/** The environment is only said where there are others. */
function Title() {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { environments } = useApi(deadLetterApiRef);
  const { title } = useEnvironment();
  return (
    <>
      {environments.length > 1
        ? t('catalog.inEnvironment', { environment: title })
        : t('catalog.title')}
    </>
  );
}

interface NumbersProps {
  owner: Owner;
  services: ServiceOverview[];
}

function Numbers({ owner, services }: NumbersProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const sum = (of: (each: ServiceOverview) => number) =>
    services.reduce((total, each) => total + of(each), 0);
  const muted = sum(each => each.muted);
  const heard = sum(each => each.count) - muted;
  const oldest = services.flatMap(each => each.oldest ?? []).sort()[0];
  if (!oldest) {
    return (
      <>
        <Text as="p" weight="bold" className={styles.line}>
          {t('common.empty')}
        </Text>
        <Text as="p" color="secondary" className={styles.line}>
          <LastDay counts={sumOfLastDay(services)} />
        </Text>
      </>
    );
  }
  return (
    <>
      <Text as="p" variant="title-small" className={styles.line}>
        {t('catalog.dead', { count: heard })}
      </Text>
      {muted > 0 && (
        <Text as="p" color="secondary" className={styles.line}>
          {t('squad.muted', { count: muted })}
        </Text>
      )}
      <dl className={styles.facts}>
        <dt>{t('catalog.lastHour')}</dt>
        <dd>
          <Trend
            trend={{
              lastHour: sum(each => each.trend.lastHour),
              dayBefore: sum(each => each.trend.dayBefore),
            }}
          />
        </dd>
        <dt>{t('catalog.oldest')}</dt>
        <dd>
          <Time at={oldest} ago />
        </dd>
        <WorstGroup owner={owner} />
      </dl>
    </>
  );
}
