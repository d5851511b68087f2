import { ButtonIcon, Menu, MenuItem, MenuTrigger } from '@backstage/ui';
import { RiContrastLine } from '@remixicon/react';
import { THEMES, Theme, useTheme } from '../theme';

const NAMES: Record<Theme, string> = {
  auto: 'As the system',
  light: 'Light',
  dark: 'Dark',
};

export function ThemeMenu() {
  const [theme, choose] = useTheme();
  return (
    <MenuTrigger>
      <ButtonIcon
        size="small"
        variant="tertiary"
        aria-label="Theme"
        icon={<RiContrastLine />}
      />
      <Menu
        placement="bottom end"
        selectionMode="single"
        selectedKeys={[theme]}
        onAction={key => choose(key as Theme)}
      >
        {THEMES.map(each => (
          <MenuItem key={each} id={each}>
            {NAMES[each]}
          </MenuItem>
        ))}
      </Menu>
    </MenuTrigger>
  );
}
