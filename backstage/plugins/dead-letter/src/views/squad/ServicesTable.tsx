import { useTranslationRef } from '@backstage/frontend-plugin-api';
import {
  Cell,
  Column,
  Row,
  TableBody,
  TableHeader,
  TableRoot,
  Text,
} from '@backstage/ui';
import { ServiceOverview } from '@dead-letter/backstage-plugin-dead-letter-common';
import { LastDayBelow } from '../../components/LastDay';
import { Scrolled } from '../../components/Scrolled';
import { Time } from '../../components/Time';
import numbers from '../../components/numbers.module.css';
import { deadLetterTranslationRef } from '../../translation';
import { TabLink } from '../../components/TabLink';
import { Trend } from '../../components/Trend';
import { PlaceOf } from '../../hooks/useTabs';
import { ageOf, useSorted } from '../../hooks/useSorted';
import { useSteady } from '../../hooks/useSteady';
import { Share } from './Share';
import styles from './squad.module.css';

const SORT_KEYS = {
  service: (row: ServiceOverview) => row.service,
  count: (row: ServiceOverview) => row.count,
  oldest: (row: ServiceOverview) => ageOf(row.oldest),
  newest: (row: ServiceOverview) => -ageOf(row.newest),
  lastHour: (row: ServiceOverview) => row.trend.lastHour,
};

interface ServicesTableProps {
  services: ServiceOverview[];
  tabOf: PlaceOf;
}

/** The services of one squad that have dead letters. */
export function ServicesTable({ services, tabOf }: ServicesTableProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const total = services.reduce((sum, each) => sum + each.count, 0);
  const { rows, descriptor, onSortChange } = useSorted(services, SORT_KEYS, {
    by: 'count',
    name: 'service',
  });
  const { rows: steady, hold } = useSteady(
    rows,
    each => each.service,
    descriptor,
  );
  const number = { allowsSorting: true, className: numbers.number };
  return (
    <Scrolled least="48rem" className={styles.services} hold={hold}>
      <TableRoot
        aria-label={t('squad.services.table')}
        sortDescriptor={descriptor}
        onSortChange={onSortChange}
      >
        <TableHeader>
          <Column id="service" isRowHeader allowsSorting>
            {t('squad.services.service')}
          </Column>
          <Column id="count" {...number}>
            {t('squad.services.count')}
          </Column>
          <Column id="newest" {...number}>
            {t('squad.services.newest')}
          </Column>
          <Column id="oldest" {...number}>
            {t('squad.services.oldest')}
          </Column>
          <Column id="lastHour" {...number}>
            {t('squad.services.lastHour')}
          </Column>
        </TableHeader>
        <TableBody items={steady} dependencies={[tabOf, t, total]}>
          {row => (
            <ServiceRow
              id={row.service}
              service={row}
              share={total > 0 ? row.count / total : 0}
              tabOf={tabOf}
            />
          )}
        </TableBody>
      </TableRoot>
    </Scrolled>
  );
}

interface ServiceRowProps {
  id: string;
  service: ServiceOverview;
  share: number;
  tabOf: PlaceOf;
}

function ServiceRow({ id, service, share, tabOf }: ServiceRowProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return (
    <Row id={id}>
      <Cell>
        <TabLink
          to={tabOf(service.service)}
          hint={t('squad.services.noComponent')}
        >
          {service.service}
        </TabLink>
      </Cell>
      <Cell className={numbers.number}>
        <Share count={service.count} share={share} />
        {service.muted > 0 && (
          <Text as="div" variant="body-small" color="secondary">
            {t('squad.ofThemMuted', { number: service.muted.toLocaleString() })}
          </Text>
        )}
        {service.count === 0 && <LastDayBelow counts={service.lastDay} />}
      </Cell>
      <Cell className={numbers.number}>
        <Time at={service.newest} ago />
      </Cell>
      <Cell className={numbers.number}>
        {service.oldest ? <Time at={service.oldest} ago /> : '–'}
      </Cell>
      <Cell className={numbers.number}>
        <Trend trend={service.trend} />
      </Cell>
    </Row>
  );
}
