import { useTranslationRef } from '@backstage/frontend-plugin-api';
import {
  Cell,
  Column,
  Link,
  Row,
  TableBody,
  TableHeader,
  TableRoot,
} from '@backstage/ui';
import { ServiceOverview } from '@dead-letter/backstage-plugin-dead-letter-common';
import { sayCount, sayShare } from '../../components/Count';
import { Time } from '../../components/Time';
import { Trend } from '../../components/Trend';
import { useInEnvironment } from '../../hooks/useEnvironment';
import { deadLetterTranslationRef } from '../../translation';
import { Found, tabOf } from './catalog';
import styles from './ServicesTable.module.css';
import { useOrder } from './useOrder';

const COLUMNS = [
  { id: 'service', style: '' },
  { id: 'count', style: `${styles.number} ${styles.narrow}` },
  { id: 'share', style: `${styles.number} ${styles.share}` },
  { id: 'oldest', style: styles.time },
  { id: 'newest', style: styles.time },
  { id: 'lastHour', style: `${styles.number} ${styles.trend}` },
] as const;

const BY: Record<string, (row: ServiceOverview) => string | number> = {
  service: row => row.service,
  count: row => row.count,
  share: row => row.count,
  oldest: row => row.oldest ?? '',
  newest: row => row.newest ?? '',
  lastHour: row => row.trend.lastHour,
};

interface ServicesTableProps {
  label: string;
  services: ServiceOverview[];
  componentOf: Found;
}

/** Services with what they have. */
export function ServicesTable(props: ServicesTableProps) {
  const { label, services, componentOf } = props;
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const total = services.reduce((sum, each) => sum + each.count, 0);
  const { sorted, order, setOrder } = useOrder(services, BY, {
    column: 'count',
    direction: 'descending',
  });
  return (
    <div className={styles.card}>
      <div className={styles.table}>
        <TableRoot
          aria-label={label}
          sortDescriptor={order}
          onSortChange={setOrder}
        >
          <TableHeader>
            {COLUMNS.map(({ id, style }) => (
              <Column
                key={id}
                id={id}
                className={style}
                allowsSorting
                isRowHeader={id === 'service'}
              >
                {t(`squad.${id}`)}
              </Column>
            ))}
          </TableHeader>
          <TableBody>
            {sorted.map(row => (
              <Row key={row.service} id={row.service}>
                <Cell>
                  <ServiceName
                    service={row.service}
                    component={componentOf(row.service)}
                  />
                </Cell>
                <Cell className={styles.number}>{sayCount(row.count)}</Cell>
                <Cell className={styles.number}>
                  {sayShare(row.count / total)}
                </Cell>
                <Cell className={styles.time}>
                  <Time at={row.oldest} ago />
                </Cell>
                <Cell className={styles.time}>
                  <Time at={row.newest} ago />
                </Cell>
                <Cell className={styles.number}>
                  <Trend trend={row.trend} />
                </Cell>
              </Row>
            ))}
          </TableBody>
        </TableRoot>
      </div>
    </div>
  );
}

interface ServiceNameProps {
  service: string;
  component: string | null | undefined;
}

/** A service, and the way to its dead letters. */
function ServiceName({ service, component }: ServiceNameProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const inEnvironment = useInEnvironment();
  if (component) {
    return (
      <Link href={inEnvironment(tabOf(component))} weight="bold">
        {service}
      </Link>
    );
  }
  return (
    <span className={styles.name}>
      {service}
      {component === null && (
        <span className={styles.hint}>{t('squad.noComponent')}</span>
      )}
    </span>
  );
}
