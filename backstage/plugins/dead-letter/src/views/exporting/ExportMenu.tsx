import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Button, Flex, Menu, MenuItem, MenuTrigger, Text } from '@backstage/ui';
import { Filter } from '@dead-letter/backstage-plugin-dead-letter-common';
import { RiDownloadLine } from '@remixicon/react';
import { deadLetterTranslationRef } from '../../translation';
import { sayNumber } from '../operations/say';
import { useExport } from './useExport';

interface ExportMenuProps {
  filter: Filter;
  /** For the name of the file. */
  name: string;
}

/** Saves what a filter lists, and shows how far that is. */
export function ExportMenu({ filter, name }: ExportMenuProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { count, start, cancel } = useExport(filter, name);
  if (count !== undefined) {
    return (
      <Flex gap="2" align="center">
        <Text role="status">
          {t('exporting.progress', { number: sayNumber(count) })}
        </Text>
        <Button size="small" variant="tertiary" onPress={cancel}>
          {t('exporting.cancel')}
        </Button>
      </Flex>
    );
  }
  return (
    <MenuTrigger>
      <Button size="small" variant="secondary" iconStart={<RiDownloadLine />}>
        {t('exporting.title')}
      </Button>
      <Menu placement="bottom end">
        <MenuItem onAction={() => void start('csv')}>
          {t('exporting.csv')}
        </MenuItem>
        <MenuItem onAction={() => void start('ndjson')}>
          {t('exporting.ndjson')}
        </MenuItem>
      </Menu>
    </MenuTrigger>
  );
}
